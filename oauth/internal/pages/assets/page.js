for (const button of document.querySelectorAll('[data-copy]')) {
  const text = document.getElementById(button.dataset.copy);
  if (!text || !navigator.clipboard) continue;
  const label = button.querySelector('span');
  const before = label.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text.textContent);
    label.textContent = 'Copied';
    document.getElementById('said').textContent = 'Copied to the clipboard';
    setTimeout(() => { label.textContent = before; }, 2000);
  });
}
