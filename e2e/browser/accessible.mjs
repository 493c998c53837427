// Measures in the browser what a person would notice: text that cannot be read,
// controls without a name or too small to hit, pages that scroll sideways.

// checkPage returns the faults of a page, as sentences.
export function checkPage(page) {
  return page.evaluate(() => {
    const faults = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) faults.push(`the page is ${root.scrollWidth - root.clientWidth} pixels too wide`);

    const visible = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.hidden, .skip') && e.getBoundingClientRect().width > 1;
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    // rgba reads any CSS color as four numbers.
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3]));
    // background is what is behind an element: its own color over its parents'.
    const background = (e) => {
      const own = rgba(getComputedStyle(e).backgroundColor);
      if (own[3] === 1) return own;
      return over(own, e.parentElement ? background(e.parentElement) : [255, 255, 255]);
    };
    const luminance = (color) => {
      const [r, g, b] = color.slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
      const [x, y] = [luminance(a), luminance(b)];
      return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    };

    // WCAG 1.4.3: 4.5 for text, 3 for large text.
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const e = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || !visible(e) || ['SCRIPT', 'STYLE'].includes(e.tagName)) continue;
      const style = getComputedStyle(e);
      const back = background(e);
      const front = over(rgba(style.color), back);
      const size = parseFloat(style.fontSize);
      const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
      const ratio = contrast(front, back);
      if (ratio < least) faults.push(`“${walker.currentNode.data.trim().slice(0, 40)}” has a contrast of ${ratio.toFixed(2)}`);
      if (size < 12) faults.push(`“${walker.currentNode.data.trim().slice(0, 40)}” is ${size} pixels high`);
    }

    for (const e of document.querySelectorAll('a, button, input:not([type=hidden]), summary')) {
      if (!visible(e)) continue;
      const name = (e.labels?.[0]?.textContent ?? e.textContent).trim();
      if (!name) faults.push(`a ${e.tagName} has no name`);
      // WCAG 2.5.8: 24 pixels, except for links within a sentence.
      const box = (e.closest('label') ?? e).getBoundingClientRect();
      if (getComputedStyle(e).display !== 'inline' && (box.width < 24 || box.height < 24)) faults.push(`“${name}” is only ${box.width} by ${box.height} pixels`);
    }
    for (const e of document.querySelectorAll('input:not([type=hidden]):not([type=radio]):not([type=checkbox])')) {
      const ratio = contrast(rgba(getComputedStyle(e).borderTopColor), background(e.parentElement));
      if (ratio < 3) faults.push(`the edge of “${e.labels[0]?.textContent}” has a contrast of ${ratio.toFixed(2)}`);
    }
    if (document.querySelectorAll('h1').length !== 1) faults.push('the page has not exactly one h1');
    if (!document.title || !root.lang) faults.push('the page lacks its title or language');
    return faults;
  });
}
