"""What a run takes, before it runs: clips, jobs, disk, hours (`s2v plan`), and what each job asks a cluster for."""
