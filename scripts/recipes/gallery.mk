# gallery.mk: a picture for every prompt. Copy it into an empty folder, write prompts/NAME.txt (one line each), and run
#
#     make -f gallery.mk -j2
#
# It makes pictures/NAME.png, and keeps latents/NAME.lcms: another JPEG quality or file format needs no new steps. Run it again and only
# what changed is made again: a prompt, the settings below, the model, lcm.toml. Files appear whole or not at all, so an interrupted run
# leaves nothing broken. NAME holds no spaces.

# Settings. They are set here, not in the environment, because make notices that this file changed.
MODEL    := emoji-128
STEPS    := 4
SEED     := 7
ENCODE   := lcm-encode text --model $(MODEL)
DENOISE  := lcm-denoise --steps $(STEPS) --seed $(SEED)
RENDER   := lcm-render

settings := $(lastword $(MAKEFILE_LIST))
names    := $(patsubst prompts/%.txt,%,$(wildcard prompts/*.txt))
latents  := $(names:%=latents/%.lcms)
pictures := $(names:%=pictures/%.png)

.DELETE_ON_ERROR:
.PHONY: all clean
all: $(pictures)

# -MD writes what a file was made from. Of a pipe each tool tells its own part: the encoder the prompt, the denoiser the model.
$(latents): latents/%.lcms: prompts/%.txt $(settings) | latents
	$(ENCODE) --prompt-file $< -MD -MF $@.text.d -MT $@ | $(DENOISE) -o $@ -MD

$(pictures): pictures/%.png: latents/%.lcms $(settings) | pictures
	$(RENDER) $< -o $@ -MD

latents pictures:
	mkdir -p $@

clean:
	rm -rf latents pictures

-include $(wildcard latents/*.d pictures/*.d)
