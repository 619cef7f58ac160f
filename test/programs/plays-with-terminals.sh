# What would change a person's terminal: its title, its clipboard, its colours, its screen; a link, a bell, text that turns round.
printf '\033]0;owned\007\033]52;c;ZXZpbA==\007\033[2J\033[H\033[31mred\033[0m\033]8;;http://192.0.2.1/\007link\033]8;;\007\007\n'
printf 'rm -rf \342\200\256txt.exe \302\233 31m\rsafe\b\b\b\b\n'
