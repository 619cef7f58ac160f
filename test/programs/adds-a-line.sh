# An agent for the `command` driver: notes its run in the file NOTES, adds a line to answer.txt, and goes when it is told
# to. Whoever runs it twice on one workspace gets two lines.
printf '%s\n' "$DROVER_RUN" >>"$NOTES"
IFS= read -r prompt
echo '{"type":"session_started","sessionId":"only-one","model":"none"}'
echo '{"type":"tool_called","id":"1","tool":"Write","input":{"file_path":"answer.txt"}}'
echo "forty-two" >>answer.txt
echo '{"type":"tool_finished","id":"1","tool":"Write","failed":false}'
echo '{"type":"usage","usage":{"inputTokens":100,"outputTokens":10,"costUsdMicros":1000}}'
echo '{"type":"turn_ended","verdict":{"ok":true},"report":"I wrote answer.txt."}'
while IFS= read -r line; do
	case $line in *'"end"'*) exit 0 ;; esac
done
