# Sourced by the agent's script before anything else: says which process will be the agent. The script is read by then; what
# stays would be its environment.
rm -f command
printf '%s\n' "$$" >&5
exec 5>&-
ulimit -c 0
