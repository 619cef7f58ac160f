# Ends by SIGTERM at once, unlike its child, which has something to finish first. Says "ready" when both are there.
(
	trap 'sleep 0.2; echo saved; exit 0' TERM
	echo ready
	while :; do sleep 0.05; done
) &
exec sleep 1000000
