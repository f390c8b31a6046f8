# R@k, FID, IS and KID of the pictures of one method and seed (paper 4.1).
JUDGED = CONFIG.evaluate.evaluator == "judge"


rule evaluate:
    input:
        pictures="<results>/{subset}generate/{method}/{seed}.tar",
        reference=packs(CONFIG.evaluate.reference_split),
        classes=subset_classes,
        judge=["<results>/judge/model.safetensors", "<results>/judge/config.json"] if JUDGED else [],
    output:
        result="<results>/{subset}evaluate/{method}/{seed}.json",
        ranks="<results>/{subset}evaluate/{method}/{seed}.parquet",
        tensors="<results>/{subset}evaluate/{method}/{seed}.safetensors",
    log:
        "<logs>/{subset}evaluate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/{subset}evaluate/{method}/{seed}.tsv"
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
