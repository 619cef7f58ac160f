# links-out.sh FOLDER: links to a folder outside, to a file in it, to one of the system, in circles and to nowhere.
ln -s "$1" folder
ln -s "$1/kept.txt" file.txt
ln -s /etc/passwd passwd
ln -s . circle
ln -s /nowhere/at/all nowhere
