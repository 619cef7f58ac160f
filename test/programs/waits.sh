# Says "ready" and waits for ever.
echo ready
exec sleep 1000000
