# Forks, and what it forked forks, 512 at last, out of the group and with nothing in the environment; each then waits for ever.
# Some wait from the beginning: a shell that may fork no more ends, and at a low limit all of the others could.
bomb() {
	if [ "$1" = 0 ]; then exec env -i setsid sleep 1000000; fi
	bomb $(($1 - 1)) &
	bomb $(($1 - 1)) &
	wait
}
for _ in 1 2 3 4 5 6 7 8; do env -i setsid sleep 1000000 & done
echo ready
bomb 9 2>/dev/null
