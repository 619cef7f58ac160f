# An agent that says where it is and then waits for a word that never comes, in as little memory as there is.
echo '{"type":"session_started","sessionId":"waiting"}'
exec cat >/dev/null
