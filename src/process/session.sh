# Sourced by the other scripts. No holder or command is started with `&`: sh has background commands ignore SIGINT and
# SIGQUIT, and every agent would inherit that.
if command -v setsid >/dev/null; then
	# in_session COMMAND...: becomes the command, in a session and process group of its own.
	in_session() { exec setsid "$@"; }
	# detached COMMAND...: starts it in a session and process group of its own.
	detached() { setsid -f "$@"; }
else
	# macOS has no setsid, but perl.
	in_session() { exec perl -MPOSIX=setsid -e 'setsid; exec @ARGV or exit 127' "$@"; }
	detached() { perl -MPOSIX=setsid -e 'exit if fork; setsid; exec @ARGV or exit 127' "$@"; }
fi
