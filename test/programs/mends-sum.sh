# An agent for the `command` driver: mends sum.js in one step, tells of it as a real one would, and goes when it is told to.
IFS= read -r prompt
echo '{"type":"session_started","sessionId":"mends","model":"small-1"}'
echo '{"type":"message","text":"I look at sum.js: the sign is wrong."}'
echo '{"type":"tool_called","id":"1","tool":"Edit","input":{"file_path":"sum.js","new":"a + b"}}'
printf 'export const sum = (a, b) => a + b;\n' >sum.js
echo '{"type":"tool_finished","id":"1","tool":"Edit","failed":false}'
echo '{"type":"usage","usage":{"inputTokens":18400,"outputTokens":1250,"costUsdMicros":84000}}'
echo '{"type":"turn_ended","verdict":{"ok":true},"report":"The sign was wrong; now it adds."}'
while IFS= read -r line; do
	case $line in *'"end"'*) exit 0 ;; esac
done
