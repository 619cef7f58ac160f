# Takes its time to end by SIGTERM, and says so.
trap 'echo ending; exit 5' TERM
echo ready
while :; do sleep 0.05; done
