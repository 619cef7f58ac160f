# An agent for the `command` driver: says its session, and then does as sh what it is told, a line at a time, through the
# FIFO $ORDERS.
IFS= read -r prompt
echo '{"type":"session_started","sessionId":"obeys"}'
exec 3<"$ORDERS"
while IFS= read -r order <&3; do
	eval "$order"
done
