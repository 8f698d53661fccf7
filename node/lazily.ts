/** Made when first asked for; after a failure the next one who asks tries again. */
export function lazily<Made>(make: () => Promise<Made>): () => Promise<Made> {
	let made: Promise<Made> | undefined;
	return () => {
		made ??= make().catch((error) => {
			made = undefined;
			throw error;
		});
		return made;
	};
}
