# Sourced by a held command's script before anything else: claims the folder for this process and says so.
# `ln` either makes `identity`, whole, or fails because it is there: of a holder, another holder and the daemon's
# refusal only the first one wins. This shell then becomes the command, so pid and start time stay true.
# $1 is the number of the request, descriptor 4 where the answer goes, and the folder the current one.

# Sets `started` to the start time of process $1.
read_start_time() {
	if [ -r "/proc/$1/stat" ]; then
		read -r stat <"/proc/$1/stat"
		# Field 22; the name before the last `)` is field 2.
		set -- ${stat##*) }
		started=${20}
	else
		set -- $(ps -o lstart= -p "$1")
		started=$*
	fi
}

if [ -r /proc/sys/kernel/random/boot_id ]; then
	read -r boot </proc/sys/kernel/random/boot_id
else
	boot=$(sysctl -n kern.bootsessionuuid)
fi
# Joins its control group before it can have had any effect: what can't be limited is not started.
if [ -e groups ]; then
	while IFS= read -r group; do
		printf '%s\n' "$$" >"$group/cgroup.procs" || exit 1
	done <groups
fi

read_start_time "$PPID"
holder="{\"pid\":$PPID,\"startTime\":\"$started\"}"
read_start_time "$$"
identity="{\"bootId\":\"$boot\",\"pid\":$$,\"startTime\":\"$started\",\"holder\":$holder}"
printf '%s\n' "$identity" >"identity.$PPID" && ln "identity.$PPID" identity || exit 1

# The daemon may be dead by now; that is no reason to die of SIGPIPE.
trap '' PIPE
printf '%s started %s\n' "$1" "$identity" >&4
trap - PIPE
exec 4>&-
ulimit -c 0

# What stdin begins with, from aside, since a pipe holds but 64 KB of it. Its file goes once all of it is handed over.
# Not by the read-write descriptor: with that, it would wait for ever when nobody reads any more.
if [ -e input ]; then
	# Orphaned on purpose: the command must not find a child that it did not start.
	({ cat; rm -f input; } <input >in &)
fi
