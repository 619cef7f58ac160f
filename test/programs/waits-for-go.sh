# An agent for the `command` driver: writes its session into sessions.txt, says it, and ends with the next line that comes
# through the FIFO $GATE.
IFS= read -r prompt
session=${DROVER_SESSION_ID:-session-$$}
echo "$session" >>sessions.txt
printf '{"type":"session_started","sessionId":"%s"}\n' "$session"
IFS= read -r line <"$GATE"
echo '{"type":"turn_ended","verdict":{"ok":true},"report":"I waited."}'
