echo ready
while :; do :; done
