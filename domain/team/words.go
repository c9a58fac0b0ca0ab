package team

import (
	"crypto/sha256"
	"strings"
)

// PairingWords returns the four words that a login shows in the terminal and
// in the browser, so that a person sees whether the two belong together. They
// follow from the PKCE challenge, or from the user code of a device login, and
// say nothing about a secret. The list never changes: the two sides may be of
// different versions.
func PairingWords(challenge string) string {
	sum := sha256.Sum256([]byte("tameflare pairing words\x00" + challenge))
	list := strings.Fields(pairingList)
	words := make([]string, 4)
	for i := range words {
		words[i] = list[sum[i]]
	}
	return strings.Join(words, " ")
}

// pairingList has 256 words: common, short, and told apart on the telephone.
const pairingList = `
acorn actor album alley amber anchor ankle apple apron arrow atlas attic
autumn bacon badge bagel bamboo banjo barley basket beacon beaver bell berry
birch bison blanket bottle bread brick bridge broom bubble bucket button cabin
cactus camel camera candle canoe canyon carbon cargo carpet carrot castle cedar
cello cement chalk cherry chess circle circus clay cliff clover cobalt cocoa
comet compass copper coral cotton cousin cradle crane crayon cricket crystal cube
curtain cycle daisy dancer desert diamond dinner dolphin donkey dragon drawer drum
eagle easel echo elbow elm ember engine envelope falcon feather fern ferry
fiddle finger flute forest fossil fox frost galaxy garden garlic gecko ginger
giraffe glacier globe glove goose grape gravel guitar hammer harbor hazel helmet
heron hockey honey hornet igloo iris island ivory jacket jaguar jasmine jelly
jigsaw jungle kayak kettle kitten ladder lagoon lantern laurel lemon library lily
linen lizard lobster locket lotus lumber magnet mango maple marble meadow medal
melon meteor mitten mosaic mustard napkin nectar needle nickel novel nutmeg oasis
ocean olive onion opal orange orchid otter oyster paddle panda paper parrot
pebble pencil penguin pepper piano pickle pigeon pillow pirate planet plum pocket
pony poppy potato prairie pretzel prism puddle puppet puzzle quartz quilt rabbit
radar radish raisin raven ribbon river robin rocket saddle sailor salmon sandal
satin scarf shovel silver sketch spider spiral spruce squid stable statue summer
sunset swan tailor temple thimble thunder ticket tiger timber tomato trumpet tulip
tunnel turtle umbrella valley velvet violin walnut walrus whistle willow window
winter wizard yogurt zebra zipper
`
