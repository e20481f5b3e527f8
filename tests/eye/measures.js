// What the tests measure of a page, each a function without arguments that returns plain values.

function boxOf(element, text) {
    const box = element.getBoundingClientRect();
    return { left: box.left, right: box.right, top: box.top, bottom: box.bottom, text: text ?? element.textContent.trim() };
}

function isSeen(element) {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) return false;
    const box = element.getBoundingClientRect();
    return box.width > 1.5 && box.height > 1.5 && box.right > 0 && box.bottom + scrollY > 0;
}

// Of each chart: its own box, its marks and its words. What is hidden from screen readers is ornament or part of a key.
function charts() {
    return [...document.querySelectorAll('svg:not([aria-hidden="true"])')].map(svg => ({
        name: svg.getAttribute('aria-label') ?? [...svg.children].find(child => child.tagName === 'title')?.textContent
            ?? (svg.getAttribute('aria-labelledby') ?? '').split(' ').map(id => document.getElementById(id)?.textContent ?? '').join(' ').trim(),
        role: svg.getAttribute('role'),
        frame: boxOf(svg, ''),
        marks: [...svg.querySelectorAll('rect, circle, ellipse, path, line, polyline, polygon')]
            .filter(mark => !mark.closest('defs, clipPath, mask, pattern, marker'))
            .map(mark => ({ ...boxOf(mark, mark.outerHTML.slice(0, 160)), kind: mark.tagName, painted: isPainted(mark) })),
        words: [...svg.querySelectorAll('text')].filter(isSeen).map(word => boxOf(word)),
        hasTable: hasTable(svg),
    }));
}

function isPainted(mark) {
    const style = getComputedStyle(mark);
    const filled = style.fill !== 'none' && alphaOf(style.fill) * Number(style.fillOpacity) > 0.02;
    const stroked = style.stroke !== 'none' && alphaOf(style.stroke) * Number(style.strokeOpacity) > 0.02 && parseFloat(style.strokeWidth) > 0;
    return (filled || stroked) && Number(style.opacity) > 0.02;
}

function hasTable(svg) {
    return svg.closest('section, article, main')?.querySelector('table') != null;
}

// Elements that end right of the window without an ancestor that scrolls.
function cutOnTheRight() {
    const scrolls = element => {
        for (let place = element; place; place = place.parentElement) {
            if (['auto', 'scroll'].includes(getComputedStyle(place).overflowX)) return true;
        }
        return false;
    };
    return [...document.body.querySelectorAll('*')]
        .filter(element => isSeen(element) && element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element))
        .map(element => element.outerHTML.slice(0, 160));
}

function width() {
    return { content: document.documentElement.scrollWidth, window: document.documentElement.clientWidth };
}

// Colours as [red, green, blue, alpha], whatever the way they are written in.
const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });

function readColour(colour) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
}

function alphaOf(colour) {
    return readColour(colour)[3];
}

function lay(above, below) {
    const alpha = above[3];
    return [0, 1, 2].map(index => above[index] * alpha + below[index] * (1 - alpha)).concat(1);
}

function luminance([red, green, blue]) {
    const [r, g, b] = [red, green, blue].map(value => value / 255).map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrastOf(one, other) {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
}

function canvasColour() {
    const [root, body] = [document.documentElement, document.body].map(element => readColour(getComputedStyle(element).backgroundColor));
    const bare = getComputedStyle(document.documentElement).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches
        && !matchMedia('print').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return lay(body, lay(root, bare));
}

// What lies beneath a point, all colours laid on one another.
function colourBeneath(element, x, y) {
    const stack = document.elementsFromPoint(x, y);
    const below = stack.slice(Math.max(stack.indexOf(element), 0)).reverse();
    return below.reduce((ground, place) => {
        if (place === document.documentElement || place === document.body) return ground;
        const style = getComputedStyle(place);
        if (place instanceof SVGGraphicsElement && !(place instanceof SVGSVGElement)) {
            if (['text', 'tspan', 'line', 'polyline'].includes(place.tagName) || style.fill === 'none') return ground;
            const colour = readColour(style.fill);
            return lay([...colour.slice(0, 3), colour[3] * Number(style.fillOpacity) * Number(style.opacity)], ground);
        }
        return lay(readColour(style.backgroundColor), ground);
    }, canvasColour());
}

// Whether letters are painted on a stroke of their own, which hides what lies beneath.
function hasHalo(style) {
    return style.paintOrder.startsWith('stroke') && style.stroke !== 'none' && parseFloat(style.strokeWidth) >= 2;
}

// The contrast of each word that is seen with what lies beneath its first letter and its middle; WCAG asks for 4.5.
function contrasts() {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.textContent.trim() || ['SCRIPT', 'STYLE', 'title', 'desc'].includes(element.tagName) || !isSeen(element)) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        element.scrollIntoView({ block: 'center', inline: 'nearest' });
        const box = range.getBoundingClientRect();
        const style = getComputedStyle(element);
        const inChart = element instanceof SVGElement;
        const raw = readColour(inChart ? style.fill : style.color);
        let opacity = 1;
        for (let place = element; place; place = place.parentElement) opacity *= Number(getComputedStyle(place).opacity);
        for (const x of [box.left + 2, (box.left + box.right) / 2]) {
            const beneath = hasHalo(style) ? readColour(style.stroke) : colourBeneath(element, x, (box.top + box.bottom) / 2);
            const ink = lay([...raw.slice(0, 3), raw[3] * opacity * (inChart ? Number(style.fillOpacity) : 1)], beneath);
            found.push({ text: node.textContent.trim().slice(0, 60), contrast: contrastOf(ink, beneath), ink, beneath });
        }
    }
    return found;
}

function ground() {
    return { luminance: luminance(canvasColour()), ink: luminance(readColour(getComputedStyle(document.body).color)) };
}

function headings() {
    return [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(heading => [Number(heading.tagName[1]), heading.textContent.trim()]);
}

// Tables: what names them, and whether their columns have heads.
function tables() {
    return [...document.querySelectorAll('table')].map(table => ({
        name: table.caption?.textContent.trim() ?? table.getAttribute('aria-label') ?? table.getAttribute('aria-labelledby') ?? '',
        heads: table.querySelectorAll('th[scope]').length,
        rows: table.rows.length,
        text: table.textContent.trim().slice(0, 60),
    }));
}

function markFocusable() {
    document.querySelectorAll('*').forEach((element, index) => { element.dataset.mark = `${element.tagName.toLowerCase()}-${index}`; });
    document.activeElement?.blur();
    scrollTo(0, 0);
}

function markOfFocus() {
    const focused = document.activeElement;
    return focused && focused !== document.body && focused !== document.documentElement ? focused.dataset.mark : null;
}

// Whether the focus can be seen: an outline or a shadow.
function focusIsSeen() {
    const style = getComputedStyle(document.activeElement);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
}

function marksToReach() {
    return [...document.querySelectorAll('summary, a[href], button, input, select, [tabindex="0"]')]
        .filter(element => element.checkVisibility()).map(element => element.dataset.mark);
}

function openDetails() {
    return [...document.querySelectorAll('details[open]')].length;
}
