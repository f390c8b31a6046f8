# Sound2Vision, from videos to the paper's tables: this file is the table of contents.
#
# A stage has one word. It is its rule file (rules/extract.smk), its script (workflow_scripts/extract.py), its
# module (s2v/data/extract.py), its part of config.yaml (extract:) and its folder of results:
#
#   <output>/manifest/{shard}.parquet     what clips there are
#   <output>/fetch/{shard}.parquet        their videos, rendered or found      (videos/{shard}/*.mp4)
#   <output>/extract/{shard}.tar          waveforms and frames
#   <output>/localise/                    the model that finds the sounding moment
#   <output>/select/{shard}.parquet       the moment of each clip
#   <output>/duplicates/{shard}.parquet  clips that show what a test clip shows
#   <output>/pack/{split}/{shard}.tar     WebDataset shards
#   <output>/encoder/ embed/ generator/ align/ judge/    trained things and cached features; av_judge/ for `s2v evaluate`
#   <output>/encoder_vit/ embed_vit/ vae/ latents/ diffusion/ align_ldm/    the same of the latent diffusion model
#   <output>/text_diffusion/ tagger/ audiotoken/    systems that text taught, for row C of table3
#   <output>/embed_unclip/ align_unclip/    the same where Stable unCLIP takes its place
#   <output>/s2i_autoencoder/ s2i_generator/ pedersoli_vqvae/ pedersoli_audio/    the systems of Figure 15
#   <output>/generate/{method}/{seed}.tar, evaluate/{method}/{seed}.json
#   <output>/known_sounds/{align}.safetensors    what f_A learned from, for sounds that are unlike all of it
#   <output>/table1.csv, table1.md, table3.csv, table3.md, fig04.png, fig14.png
#   <output>/table1b.csv, table1b.md      of what people answered, where there are answers
#   <output>/table_vegas5.csv, table_vegas5.md, fig15.png    of some classes, whose pictures lie in fig15/
#   <output>/ablation/{row}/    alignment without a part of it, and its pictures, for table2.csv; gap.csv of them all
#   <output>/seeds/{n}/    trainings with other seeds, and their pictures
#   <output>/fig08.png, fig09.png, fig10.png, fig11.png, fig13.png, fig18.png, fig19.png, control.csv
#   <output>/joint/, fig12.png, fig12.csv, fig12.md    the joint space of Lee et al., and edits by them and by ours
#   <output>/face_reader/, faces.csv, faces.md, fig20.png    faces from voices, where the people are drawn here
#   <output>/fig03.png, fig05.png, fig06.png, fig07.png, gap.png
#   <output>/claims.csv, claims.md, evidence.csv, evidence.md    a verdict on every claim, and on those of target evidence
#   <output>/classes/{size}/    alignment to the first classes, and its pictures, for fig16.png, fig16.csv and fig17.png
#   <output>/coverage.csv, coverage_by_class.csv, coverage.md, coverage.png
#   <output>/logs/ and <output>/benchmarks/ have one file for each job
#
# <output> is `output` of the configuration: each configuration has its own.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"


pathvars:
    results=config["output"],
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


include: "rules/manifest.smk"
include: "rules/unpack.smk"
include: "rules/fetch.smk"
include: "rules/extract.smk"
include: "rules/duplicates.smk"
include: "rules/localise.smk"
include: "rules/select.smk"
include: "rules/pack.smk"
include: "rules/encoder.smk"
include: "rules/embed.smk"
include: "rules/embed_unclip.smk"
include: "rules/generator.smk"
include: "rules/vae.smk"
include: "rules/latents.smk"
include: "rules/diffusion.smk"
include: "rules/align.smk"
include: "rules/text_diffusion.smk"
include: "rules/tagger.smk"
include: "rules/audiotoken.smk"
include: "rules/s2i_autoencoder.smk"
include: "rules/s2i_generator.smk"
include: "rules/pedersoli_vqvae.smk"
include: "rules/pedersoli_audio.smk"
include: "rules/judge.smk"
include: "rules/inception.smk"
include: "rules/joint.smk"
include: "rules/generate.smk"
include: "rules/evaluate.smk"
include: "rules/known_sounds.smk"
include: "rules/report.smk"
include: "rules/table1b.smk"
include: "rules/fig15.smk"
include: "rules/ablation.smk"
include: "rules/evidence.smk"
include: "rules/control.smk"
include: "rules/fig12.smk"
include: "rules/faces.smk"
include: "rules/scaling.smk"


# What supports the paper's argument, without and with the models that take long of their own; each with a verdict on
# every claim that it measures.
rule evidence:
    input:
        expand("<results>/{file}", file=targets.files("evidence", CONFIG, SCALING)),


rule paper:
    input:
        expand("<results>/{file}", file=targets.files("paper", CONFIG, SCALING)),


rule all:
    default_target: True
    input:
        "<results>/table1.csv",
        "<results>/fig04.png",
        "<results>/known_sounds/align.safetensors",
        "<results>/coverage.csv",
