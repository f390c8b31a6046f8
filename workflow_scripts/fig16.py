"""Stage `fig16`: from rules/scaling.smk to s2v/report/fig16.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake):
    from s2v.report.fig16 import run

    sizes = snakemake.params.sizes
    given = snakemake.input
    run(
        results={size: {"GAN": paths(given[f"gan_{size}"]), "LDM": paths(given[f"ldm_{size}"])} for size in sizes},
        ceiling={size: paths(given[f"real_{size}"]) for size in sizes},
        pictures={"GAN": paths(given.gan), "LDM": paths(given.ldm)},
        families=snakemake.params.families,
        bootstrap=snakemake.params.bootstrap,
        output=Path(snakemake.output.figure),
        table=Path(snakemake.output.csv),
        markdown=Path(snakemake.output.markdown),
        quantities=Path(snakemake.output.quantities),
    )
