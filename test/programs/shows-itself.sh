# An agent for the `command` driver that says what it does and what it used. With ASK in its prompt it asks for permission first,
# with WAIT it goes on when a byte comes through the FIFO $GATE.
IFS= read -r prompt
echo '{"type":"session_started","sessionId":"shows","model":"shown-1"}'
echo '{"type":"message","text":"Here is what I do."}'
case "$prompt" in
*ASK*)
	echo '{"type":"question_asked","id":"q1","tool":"Bash","input":{"command":"rm -r build"}}'
	IFS= read -r answer
	echo "{\"type\":\"message\",\"text\":\"I was told: $(printf %s "$answer" | tr -d '"{}')\"}"
	;;
*WAIT*)
	printf '\033[31mA red line.\033[0m And a bell: \007\n'
	read -r _ <"$GATE"
	;;
esac
echo '{"type":"usage","usage":{"inputTokens":1200,"outputTokens":300,"cacheReadTokens":0,"costUsdMicros":50000}}'
echo '{"type":"turn_ended","verdict":{"ok":true},"report":"A shop in three specs: catalogue, cart, payment."}'
