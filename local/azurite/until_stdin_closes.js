// Loaded before Azurite: when the program that started it is gone, standard input closes, and it must go, too.
process.stdin.resume();
for (const event of ["end", "close", "error"]) process.stdin.on(event, () => process.exit(0));
