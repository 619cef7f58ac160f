# An agent that is done at once: writes answer.txt and goes when it is told to.
IFS= read -r prompt
echo "forty-two $DROVER_RUN" >answer.txt
echo '{"type":"turn_ended","verdict":{"ok":true},"report":"I wrote answer.txt."}'
while IFS= read -r line; do
	case $line in *'"end"'*) exit 0 ;; esac
done
