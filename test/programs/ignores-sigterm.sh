# Ignores SIGTERM; so do a child in its group and one that left for a session of its own. Says "ready" when all are there.
trap '' TERM
sleep 1000000 &
setsid sleep 1000000 &
echo ready
while :; do wait; done
