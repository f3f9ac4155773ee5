"""What `make bench` is made of: the programs, their runs, the report and the chart."""
