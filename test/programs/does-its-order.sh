# An agent for the `command` driver: says its session, and does as sh what the line of its task that begins with `ORDER: ` says.
IFS= read -r prompt
printf '{"type":"session_started","sessionId":"session-%s"}\n' $$
order=$(sed -n 's/.*ORDER: //p' "$DROVER_PROMPT_FILE")
eval "$order"
