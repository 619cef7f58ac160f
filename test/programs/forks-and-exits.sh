# Leaves a child behind that holds stdin, stdout and stderr open and keeps printing.
(while :; do echo still here; sleep 0.01; done) &
echo done
