#!/bin/sh
# tmux-program.sh SOCKET NAME OWN HELD STREAMS: opens a window of that name on our tmux server, in which the agent runs, waits for the
# agent's end, and ends as it ended. Held in the agent's place: a SIGTERM is passed on to the agent's process group.
# OWN is a folder with the agent's script (`command`), HELD that of the held command, with its streams. STREAMS says whose the
# agent gets: `screen`, those of HELD, which the window shows; `terminal`, the window's own.
socket=$1
name=$2
own=$3
held=$4
streams=$5
here=${0%/*}

# `env` so that the window's shell carries the marks too. The server is there, or it is no server of ours: never started from
# here, where it would be a part of this very run.
in_window() {
	tmux -N -L "$socket" -f /dev/null "$@" -n "$name" -- /usr/bin/env "DROVER_RUN=$DROVER_RUN" "DROVER_SCOPE=$DROVER_SCOPE" \
		/bin/sh "$here/tmux-window.sh" "$own" "$held" "$streams"
}

fail() {
	echo "$1" >&2
	exit 1
}

cd -- "$own" && mkfifo alive || fail "No FIFO can be made in $own."
# Open for reading and writing, so that opening it waits for nobody.
exec 6<>alive
# The first window makes the session and the last one takes it away: between our two tries another agent's may have done either.
tries=1
until in_window new-window -d -t =drover: 2>/dev/null || in_window new-session -d -s drover -x 200 -y 50 2>/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -le 20 ] || fail "No window can be opened on the tmux server $socket."
done

(
	sleep 20 6>&- &
	trap "kill $!" TERM
	wait "$!" && echo none >&6
) &
timer=$!
read -r agent <&6
kill "$timer" 2>/dev/null
[ "$agent" = none ] && fail "The tmux window did not start its agent."

# The window's shell has the FIFO open as long as it lives. Who waits for that must not die of what is sent to our group.
(
	trap '' TERM
	# Opened while this shell still has the FIFO open too: it may be that nobody else has any more.
	exec cat <alive >/dev/null 6>&-
) &
window=$!
exec 6>&-
trap 'kill -s TERM -- "-$agent" 2>/dev/null' TERM
until wait "$window"; do
	kill -0 "$window" 2>/dev/null || break
done

[ -e status ] && exit "$(cat status)"
kill -s TERM -- "-$agent" 2>/dev/null
fail "The tmux window of the agent was closed, or its server was ended."
