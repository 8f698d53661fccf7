/**
 * 1024 words of 5 to 9 letters that nobody minds reading aloud: no two begin with the same four letters, and no two
 * differ in one letter only. Their order is part of the protocol.
 */
export const wordList: readonly string[] = `
	acorn acrobat actor adapter adventure afternoon agenda airport aisle album alcove alley almond alpaca alphabet
	alpine amber amulet anchor angle answer antenna anthem antler apple apricot apron aquarium aqueduct arcade archer
	arena armadillo armchair aroma arrow artist ascent aspen asphalt asteroid athlete atlas atrium attic auburn august
	aurora author autumn avenue aviator avocado awning badge bagel bagpipe bakery balance balcony ballad bamboo banana
	banjo banner barley barometer barrel basil basket bassoon battery bazaar beacon beaver bedrock beehive beetle bench
	beret berry bicycle binder biology birch birthday biscuit bison blanket blender blizzard blossom blueberry board
	boathouse bobbin bobcat bobsled bonfire bonnet bonsai bookshelf boomerang border botany bottle boulder bouquet
	boutique bracelet branch brass bread breeze brick bridge broccoli bronze brook brownie brush bubble bucket buffalo
	bugle builder bulldozer bumblebee bundle bungalow burrow butter cabbage cabin cable cactus calendar calypso camel
	campfire canal candle canoe canvas canyon captain caramel cardigan cargo caribou carnival carpet carriage cartoon
	cascade cashew castle catalog cauldron cavern cedar celery cello cement cereal chair chalk chameleon chapter
	charcoal cheddar cheese chemist cherry chess chimney chipmunk chisel chocolate chord chowder chrome cider cinema
	cinnamon circle citrus clarinet cliff climate clipper clock cloud clover coast cobalt cobbler cockpit coconut coffee
	cogwheel collar colony column comet comma compass concert condor confetti continent cookie copper coral corduroy
	corner corridor cosmos cottage couch cougar courtyard coyote cracker cradle crane crater crayon creek crepe crescent
	cricket crimson crocus croissant crossword crown cruise crystal cucumber cupboard cupcake curry curtain cushion
	cutlery cymbal cypress daffodil dahlia daisy dance dandelion decade december delight delta denim dentist desert
	detective detour dewdrop diamond diary dinner dinosaur diploma doctor dolphin domino doodle doorway dough dragon
	drawer dream dresser drizzle dryer dugout dumpling dustpan dynamo eagle earring earth easel eclair editor eggplant
	elastic element elephant elevator emerald encore energy engine envelope equator eraser escalator espresso essay
	estuary evening evergreen exhibit explorer express fabric factory fairway falafel falcon farmer fashion faucet
	feather february fence festival fiber fiddle field figurine filter finch firefly fjord flamingo flannel flask fleece
	florist flute foghorn folder folklore footprint forest formula fossil fountain foyer fragment frame freckle freezer
	freight fresco friday frost fruit fudge funnel furnace futon gadget galaxy gallery garage garden garlic garnet
	gazelle gearbox gecko gelato gemstone geography geyser ginger ginkgo giraffe glacier glade glass glider globe goblet
	gondola gourmet grain grammar granite grape gravel green griffin grocery groove grotto guava guest guide guitar
	gumdrop gymnast habitat hailstone halibut hallway hammer hamster hangar harbor harmony harness harvest haystack
	hazelnut headlight hedge heirloom helium helmet heron hexagon hibiscus hickory highland hiking hobby hockey hollow
	honey horizon horse hotel hourglass hubcap humming hurdle husky hyacinth hydrant iceberg icicle igloo iguana image
	index indigo inkwell inlet insect invoice island ivory jacket jaguar january jasmine jasper jelly jersey jetty jewel
	jigsaw jogger journal joystick jubilee juggler juice jukebox jungle juniper jupiter kangaroo karate kayak kennel
	kettle keyboard kimono kiosk kitchen kitten knapsack koala label labyrinth lacquer ladder ladybug lagoon landmark
	lantern laptop larch lasso lattice laurel lavender lecture leisure lemon lemur lentil leopard letter library lichen
	lilac limerick linen lizard llama lobster locket lodge logbook lotus lounge luggage lullaby lumber lunar lunch lyric
	macaroni machine mackerel magenta magician magnet magpie mahogany mailbox mallet mammoth manatee mandarin manor
	mantle manual maple marathon marble marigold marker marlin marmalade maroon marsh mascot matinee meadow medal medley
	melody memory meridian mermaid meteor metro midnight mileage mineral minuet mirror mixer mocha model module mohair
	molecule monday mongoose monsoon moonlight moose morning mosaic muffin mulberry mural museum mushroom music mustard
	myrtle nacho napkin nature nautilus nebula nectar needle neighbor network nickel night nimbus north notebook nougat
	novel nugget nursery nutmeg nylon oasis oatcake oatmeal obelisk ocean octagon october odyssey oilcloth olive omelet
	onion opera orange orchard oregano organ origami ornament ostrich otter outfit outline overcoat oyster pacific
	package paddle padlock pagoda paint pajamas palace pamphlet pancake panda panel panther papaya paper paprika papyrus
	parachute parcel parrot parsley partner passport pasta patio pattern pavement pavilion pavlova peach peanut pearl
	pebble pecan pelican pencil pendulum penguin pennant peony pepper perfume periscope petal petunia pewter phoenix
	photo piano piccolo pickle picnic picture pigeon pillar pilot pinafore pineapple pinwheel pioneer pirate pistachio
	pitcher pixel pizza plaid planet plaster plateau plaza podium polka poncho popcorn poplar poppy porch porridge
	portrait postcard potato pottery powder prairie prelude pretzel primrose printer prism prologue promenade propeller
	pudding pulley pumpkin puppet purple puzzle pyramid quadrant quail quarry quiche quill quince rabbit raccoon radar
	radio railway rainbow raisin rally ranger raspberry rattle raven ravine reader recipe record referee reindeer relay
	rhapsody rhubarb rhythm ribbon ripple river robin robot rodeo roller rooster rosemary rotor rotunda round rowboat
	rubber rucksack rudder rugby ruler runner runway safari saffron sailor salad salmon salsa sample sandal sapphire
	sardine satchel satellite saturn sauce sauna saxophone scallop scarecrow scholar science scooter scout scribe scroll
	sculptor seagull seahorse season seaweed sedan seesaw seminar sentinel sepia september sequoia serenade sesame shade
	shamrock shelf sherbet shield shingle shovel shrimp shuttle siesta signal silver skater sketch skillet skipper
	skylark sleigh slogan smile snail snorkel snowman soccer solar solstice sonata soprano sorbet souvenir spanner
	sparrow spatula spectrum sphere spinach spiral sponge spoon sprinkler spruce squash squid stable stadium stage stamp
	starfish statue steam steeple stencil stereo stitch stone stopwatch stork street stucco student subway sugar
	suitcase summer sunbeam sunday sunflower sunrise surfer swallow sweater swift swing symbol symphony syrup tableau
	tadpole talent tandem tangerine tapestry tapioca tartan tassel teacher teapot teaspoon telegram tempo tendril tennis
	terrace textbook theater thermos thimble thistle thunder thursday thyme tiara ticket tiger timber tinfoil tinsel
	toboggan tomato topaz tortoise toucan towel tractor traffic trailer transit trapeze treasure trellis triangle
	tricycle trinket tripod trolley trombone trophy trout truck truffle trumpet tuesday tugboat tulip tundra turbine
	turnip turquoise turtle tutor tuxedo tweed twilight twine ukulele umbrella unicorn uniform universe utensil vacation
	valise vanilla varnish vault velvet veranda vessel viaduct village vineyard viola visor vista volcano volume voyage
	waffle wagon waiter walkway wallpaper walnut walrus waltz wardrobe warehouse wasabi watch waterfall wednesday
	weekend wheat wheel whisker white wicker willow windmill winter wisteria wombat wonder workshop wreath xylophone
	yacht yellow yogurt zebra zenith zephyr zigzag zinnia zipper zither zodiac zoology zucchini
`
	.trim()
	.split(/\s+/);
