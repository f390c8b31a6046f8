# R@k, FID, IS and KID of the pictures of one method, for all generation seeds (paper 4.1).
rule evaluate:
    input:
        pictures=PLAN.of_seeds("generate", "tar"),
        reference=PLAN.packs(CONFIG.evaluate.reference_split),
        classes=variant_classes,
        evaluators=PLAN.evaluators,
    output:
        result=PLAN.of_seeds("evaluate", "json"),
        ranks=PLAN.of_seeds("evaluate", "parquet"),
        tensors=PLAN.of_seeds("evaluate", "safetensors"),
    log:
        "<logs>/{again}{variant}evaluate/{method}.log",
    benchmark:
        "<benchmarks>/{again}{variant}evaluate/{method}.tsv"
    wildcard_constraints:
        variant=OF_ALL_SEEDS,
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("evaluate")
    resources:
        mem_mb=PLAN.memory_of_method("evaluate"),
        runtime=PLAN.minutes_of_method("evaluate"),
        gpu=PLAN.gpus("evaluate"),
    params:
        config=PLAN.values("evaluate", "bootstrap", "similar"),
        code=PLAN.code("evaluate"),
    script:
        "../workflow_scripts/evaluate.py"


# Where each training draws with one seed.
use rule evaluate as evaluate_one with:
    input:
        pictures="<results>/{again}{variant}generate/{method}/{seed}.tar",
        reference=PLAN.packs(CONFIG.evaluate.reference_split),
        classes=variant_classes,
        evaluators=PLAN.evaluators,
    output:
        result="<results>/{again}{variant}evaluate/{method}/{seed}.json",
        ranks="<results>/{again}{variant}evaluate/{method}/{seed}.parquet",
        tensors="<results>/{again}{variant}evaluate/{method}/{seed}.safetensors",
    log:
        "<logs>/{again}{variant}evaluate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/{again}{variant}evaluate/{method}/{seed}.tsv"
    wildcard_constraints:
        variant=OF_ONE_SEED,
