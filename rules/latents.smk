# Latents of a split's frames, computed once for the training of diffusion.
rule latents:
    input:
        packs=lambda wildcards: PLAN.packs(wildcards.split),
        vae=PLAN.model("vae"),
    output:
        latents="<results>/{again}latents/{split}.safetensors",
    log:
        "<logs>/{again}latents/{split}.log",
    benchmark:
        "<benchmarks>/{again}latents/{split}.tsv"
    priority: LONGEST
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("latents")
    resources:
        mem_mb=PLAN.memory("latents"),
        runtime=PLAN.minutes("latents"),
        gpu=PLAN.gpus("latents"),
    params:
        code=PLAN.code("latents"),
    script:
        "../workflow_scripts/latents.py"
