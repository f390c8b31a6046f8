"""Stage `gap`: from rules/evidence.smk to s2v/report/gap.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake) as settings:
    from s2v.data.window import Window
    from s2v.media.spectrogram import SAMPLE_RATE_HZ
    from s2v.report.gap import RunFiles, run

    runs = snakemake.params.runs
    # Files of the rows come one after another, and within a row by training, as the runs do; two for each model.
    rows = dict.fromkeys(row for row, *_ in runs)
    ranks = [file for row in rows for file in paths(snakemake.input[f"{row}_parquet"])]
    folders = [file.parent for file in paths(snakemake.input.align)[::2]]
    run(
        runs=[
            RunFiles(row, training, align, Window(at, window_s, SAMPLE_RATE_HZ), rank)
            for (row, training, at, window_s), align, rank in zip(runs, folders, ranks, strict=True)
        ],
        packs=paths(snakemake.input.packs),
        features=Path(snakemake.input.features),
        train_features=Path(snakemake.input.train_features),
        shown=snakemake.params.shown,
        bootstrap=snakemake.params.bootstrap,
        output=Path(snakemake.output.csv),
        tensors=Path(snakemake.output.tensors),
        quantities=Path(snakemake.output.quantities),
        runtime=settings.runtime,
        threads=settings.threads,
    )
