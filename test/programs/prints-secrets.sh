# Says the secret in the variable $1 in every way that is passed on: plain text, base64, the input of a tool, stderr and its report.
eval "secret=\$$1"
printf 'the key is %s.\n' "$secret"
printf '%s' "$secret" | base64
printf 'the key is %s.\n' "$secret" >&2
printf '{"type":"tool_called","id":"1","tool":"Bash","input":{"command":"curl -H %s"}}\n' "$secret"
printf '{"type":"turn_ended","verdict":{"ok":true},"report":"It is %s."}\n' "$secret"
