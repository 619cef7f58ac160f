#!/bin/sh
# tmux-window.sh OWN HELD STREAMS: what runs in a window. STREAMS `screen`: the agent has the streams of its held command and no
# terminal; what it prints is shown here too, without control characters, and keys do nothing. `terminal`: it has this terminal,
# and the stdout of its held command for descriptor 3.
own=$1
held=$2
streams=$3
here=${0%/*}
. "$here/../process/session.sh"

cd -- "$own" || exit 1
exec 5>alive
# The limits are those of the held command. A person's server that was started in a login session may not move its windows
# from there into a scope of systemd's; then their limits are held by measuring alone.
if [ -e "$held/groups" ]; then
	while IFS= read -r group; do
		printf '%s\n' "$$" >"$group/cgroup.procs" 2>/dev/null
	done <"$held/groups"
fi

if [ "$streams" = terminal ]; then
	# In this group, for it must be the terminal's: keys and signals reach the agent, and this shell outlives it.
	trap : INT QUIT TERM
	printf '%s\n' "$$" >&5
	/usr/bin/env -i "PATH=$PATH" "TERM=$TERM" /bin/sh ./command 3>>"$held/out"
else
	stty -isig -ixon -echo
	(tail -c +1 -f "$held/out" | LC_ALL=C tr -d '\000-\010\013-\037\177') 5>&- &
	(in_session /usr/bin/env -i "PATH=$PATH" /bin/sh ./command) <>"$held/in" >>"$held/out" 2>>"$held/err"
fi
printf '%s\n' "$?" >status.tmp && mv status.tmp status
