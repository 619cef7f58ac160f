#!/bin/sh
# alone.sh COMMAND...: in a run, just the command, for the isolation around it sees to the network; otherwise, as when it is
# asked for its version, in a network namespace of its own.
[ -n "$DROVER_RUN" ] && exec "$@"
exec unshare --map-root-user --net -- "$@"
