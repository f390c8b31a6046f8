# R@k, FID, IS and KID of the pictures of one method and seed (paper 4.1).
JUDGED = CONFIG.evaluate.evaluator == "judge"


rule evaluate:
    input:
        pictures="<results>/{again}{variant}generate/{method}/{seed}.tar",
        reference=packs(CONFIG.evaluate.reference_split),
        classes=variant_classes,
        judge=["<results>/judge/model.safetensors", "<results>/judge/config.json"] if JUDGED else [],
    output:
        result="<results>/{again}{variant}evaluate/{method}/{seed}.json",
        ranks="<results>/{again}{variant}evaluate/{method}/{seed}.parquet",
        tensors="<results>/{again}{variant}evaluate/{method}/{seed}.safetensors",
    log:
        "<logs>/{again}{variant}evaluate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/{again}{variant}evaluate/{method}/{seed}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(lambda wildcards: needed("evaluate", wildcards)[0]),
        runtime=growing(lambda wildcards: needed("evaluate", wildcards)[1]),
        gpu=GPU,
    params:
        config=values("evaluate"),
        code=code_digest("s2v.evaluate.evaluate"),
    script:
        "../workflow_scripts/evaluate.py"
