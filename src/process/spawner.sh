#!/bin/sh
# spawner.sh: the small process from which the daemon starts holders, so that the big one never forks for them.
# Takes one request a line on stdin:
#   start NUMBER DIRECTORY     starts the holder of that folder, which answers for itself
#   pid NUMBER                 says its pid
#   free NUMBER BYTES FILE     gives the first BYTES of a file back to the disk; offsets in it stay as they are
# Answers on stdout, `NUMBER ...` (see spawner.ts). Ends when stdin ends; holders live on.
here=${0%/*}
. "$here/session.sh"

while IFS= read -r request; do
	words=${request#* }
	number=${words%% *}
	rest=${words#* }
	case $request in
	start\ *)
		detached /bin/sh "$here/holder.sh" "$number" "$rest" </dev/null 2>/dev/null || printf '%s failed\n' "$number"
		;;
	pid\ *)
		printf '%s pid %s\n' "$number" "$$"
		;;
	free\ *)
		if fallocate --punch-hole --offset 0 --length "${rest%% *}" "${rest#* }" </dev/null 2>/dev/null; then
			printf '%s done\n' "$number"
		else
			printf '%s failed\n' "$number"
		fi
		;;
	esac
done
