# Pictures of the test clips: one job a method (row of the table) and seed.
GAN_PARTS = {"encoder": "encoder", "generator": "generator", "align": "align"}
LDM_PARTS = {"encoder": "encoder_vit", "generator": "diffusion", "align": "align_ldm", "vae": "vae"}
LDM_METHODS = ("ldm", "sound2vision_ldm")


def part(name):
    """Input function: the trained thing that takes the part `name` in a method; nothing where it has no such part."""

    def files(wildcards):
        parts = LDM_PARTS if wildcards.method in LDM_METHODS else GAN_PARTS
        return trained(parts[name]) if name in parts else []

    return files


rule generate:
    input:
        packs=packs(CONFIG.generate.split),
        train_packs=packs("train"),
        encoder=part("encoder"),
        generator=part("generator"),
        align=part("align"),
        vae=part("vae"),
    output:
        pictures="<results>/generate/{method}/{seed}.tar",
    log:
        "<logs>/generate/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/generate/{method}/{seed}.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(120),
        gpu=GPU,
    params:
        # Another way of sampling is no matter of the GAN's.
        config=lambda wildcards: values(
            "generate", "methods", "seeds", *([] if wildcards.method in LDM_METHODS else ["ldm"])
        ),
        code=code_digest("s2v.evaluate.generate"),
    script:
        "../workflow_scripts/generate.py"
