# Latents of a split's frames, computed once for the training of diffusion.
rule latents:
    input:
        packs=lambda wildcards: packs(wildcards.split),
        vae=lambda wildcards: trained(own("vae", wildcards)),
    output:
        latents="<results>/{again}latents/{split}.safetensors",
    log:
        "<logs>/{again}latents/{split}.log",
    benchmark:
        "<benchmarks>/{again}latents/{split}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("latents")),
        runtime=growing(minutes("latents")),
        gpu=GPU,
    params:
        code=code_digest("s2v.train.latents"),
    script:
        "../workflow_scripts/latents.py"
