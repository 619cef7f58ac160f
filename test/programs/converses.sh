# A program that a person talks to at its terminal: asks, writes what is typed into said.txt, and ends with "bye", as the
# status that is typed after it says.
[ -t 0 ] && [ -t 1 ] && [ -t 2 ] || exit 9
trap 'echo "Interrupted, and still here."' INT
cat "$DROVER_PROMPT_FILE"
while printf 'What next? '; do
	read -r word rest || continue
	[ "$word" = bye ] && exit "$rest"
	echo "$word $rest" >>said.txt
	echo "Wrote: $word $rest"
done
