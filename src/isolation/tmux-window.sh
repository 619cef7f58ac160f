#!/bin/sh
# tmux-window.sh OWN HELD: what runs in a window. The agent has the streams of its held command and no terminal; what it
# prints is shown here too, without control characters. Keys do nothing.
own=$1
held=$2
here=${0%/*}
. "$here/../process/session.sh"

cd -- "$own" || exit 1
exec 5>alive
stty -isig -ixon -echo
# The limits are those of the held command. A person's server that was started in a login session may not move its windows
# from there into a scope of systemd's; then their limits are held by measuring alone.
if [ -e "$held/groups" ]; then
	while IFS= read -r group; do
		printf '%s\n' "$$" >"$group/cgroup.procs" 2>/dev/null
	done <"$held/groups"
fi
(tail -c +1 -f "$held/out" | LC_ALL=C tr -d '\000-\010\013-\037\177') 5>&- &

(in_session /usr/bin/env -i "PATH=$PATH" /bin/sh ./command) <>"$held/in" >>"$held/out" 2>>"$held/err"
printf '%s\n' "$?" >status.tmp && mv status.tmp status
