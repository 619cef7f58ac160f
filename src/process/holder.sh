#!/bin/sh
# holder.sh NUMBER DIRECTORY: runs the `command` of a folder to its end and leaves its status there. In a session of its
# own; the command gets another, so that what is sent to the command's group does not reach its holder.
here=${0%/*}
. "$here/session.sh"
number=$1

# Whether the kernel ended a process of the command's control group because a limit on memory was reached; a command that
# has its processes elsewhere, as in a container, says so by a file.
was_out_of_memory() {
	[ -e out-of-memory ] && return 0
	[ -e groups ] || return 1
	while IFS= read -r group; do
		for events in "$group/memory.events" "$group/memory.oom_control"; do
			[ -e "$events" ] || continue
			while read -r name count; do
				[ "$name" = oom_kill ] && [ "$count" -gt 0 ] && return 0
			done <"$events"
		done
	done <groups
	return 1
}

cd -- "$2" && { [ -p in ] || mkfifo in; } &&
	# stdin is opened read-write, so that it never ends, whoever closes the other side.
	(in_session /bin/sh ./command "$number") 4>&1 <>in 2>>err >>out
status=$?

case $(cat identity) in
*"\"holder\":{\"pid\":$$,"*)
	was_out_of_memory && status="$status out_of_memory"
	printf '%s\n' "$status" >exit.tmp && mv exit.tmp exit
	;;
*)
	# Our command never began: the folder was refused or belongs to another holder, or it could not be set up.
	printf '%s failed\n' "$number"
	;;
esac
rm -f "identity.$$"
