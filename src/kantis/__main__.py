from kantis.doors.cli import main

main()
