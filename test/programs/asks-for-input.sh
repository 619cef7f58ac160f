# Asks as if somebody sat there: on its stdin, and at the terminal, which there must not be.
printf 'Continue? [y/N] '
(exec 3</dev/tty) 2>/dev/null && echo "There is a terminal."
IFS= read -r answer
echo "The answer is $answer."
