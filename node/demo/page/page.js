// The one thing the page cannot do without a script: put a voucher into the clipboard.
const spoken = document.querySelector("[role=status]");

for (const button of document.querySelectorAll("button[data-copy]")) {
	button.hidden = false;
	const label = button.textContent;
	button.addEventListener("click", async () => {
		await navigator.clipboard.writeText(button.dataset.copy);
		button.textContent = spoken.textContent = button.dataset.copied;
		setTimeout(() => {
			button.textContent = label;
			spoken.textContent = "";
		}, 2000);
	});
}
