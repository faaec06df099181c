"""Clocks that run in the page: each ends in the frame that shows what was asked for."""

# The clock runs from the box's input event to the frame that shows the new picture: the first
# animation frame after a canvas was painted, a text has changed or an image was decoded.
EDIT = """([output, box, picture, text]) => new Promise(done => {
    const find = () => output.querySelector(picture);
    const content = () => find() && (find().src ?? find().textContent);
    const paint = CanvasRenderingContext2D.prototype.putImageData;
    const before = content();
    const end = () => {
        watcher.disconnect();
        CanvasRenderingContext2D.prototype.putImageData = paint;
        requestAnimationFrame(() => done(performance.now() - start));
    };
    CanvasRenderingContext2D.prototype.putImageData = function (...painted) {
        paint.apply(this, painted);
        if (this.canvas === find()) end();
    };
    const watcher = new MutationObserver(() => {
        if (!content() || content() === before) return;
        if (find().decode) find().decode().then(end);
        else end();
    });
    const watched = {subtree: true, childList: true, characterData: true, attributeFilter: ["src"]};
    if (!find().getContext) watcher.observe(output, watched);
    output.querySelector(box).value = text;
    const start = performance.now();
    for (const type of ["input", "change"])
        output.querySelector(box).dispatchEvent(new Event(type, {bubbles: true}));
})"""
SCRUB = """panel => new Promise(done => {
    const slider = panel.querySelector(".ck-player input[type=range]");
    const shown = panel.querySelector(".ck-frames figcaption [data-slot]"); // kernel, step n
    const before = shown.textContent;
    const look = () => {
        if (shown.textContent === before) requestAnimationFrame(look);
        else done(performance.now() - start);
    };
    const start = performance.now();
    slider.value = Number(slider.value) + 1;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    requestAnimationFrame(look);
})"""
# Moves the pointer over the photo, frame by frame: how long the window's frame takes to follow, and
# how often in a second the sum below it does.
POINT = """editor => new Promise(done => {
    const canvas = editor.querySelector(".ck-xp canvas");
    const ring = editor.querySelector(".ck-xp .ck-frame-ring");
    const area = canvas.getBoundingClientRect();
    const cell = area.width / 128;
    const lags = [];
    let sums = 0;
    const watcher = new MutationObserver(() => sums++);
    watcher.observe(editor.querySelector(".ck-products"), {subtree: true, childList: true});
    const begun = performance.now();
    const move = () => {
        if (lags.length === 100) {
            watcher.disconnect();
            return done([lags, 1000 * sums / (performance.now() - begun)]);
        }
        const [before, sent] = [ring.dataset.cell, performance.now()];
        const place = (10.5 + lags.length) * cell;
        const at = {bubbles: true, clientX: area.left + place, clientY: area.top + place};
        canvas.dispatchEvent(new PointerEvent("pointermove", at));
        const look = () => {
            if (ring.dataset.cell === before) return requestAnimationFrame(look);
            lags.push(performance.now() - sent);
            requestAnimationFrame(move);
        };
        requestAnimationFrame(look);
    };
    move();
})"""
# Drags the learning rate for two seconds: how often in a second the path is drawn anew, and how
# long after the last move it is drawn for the last time.
DRAG = """stepper => new Promise(done => {
    const slider = stepper.querySelector("input[type=range][aria-label^='learning rate']");
    const path = stepper.querySelector(".ck-plot .ck-walked");
    const paints = [];
    const watcher = new MutationObserver(() => paints.push(performance.now()));
    watcher.observe(path, {attributeFilter: ["d"]});
    const begun = performance.now();
    let last = begun;
    const move = () => {
        if (performance.now() - begun > 2000) return setTimeout(end, 1500);
        last = performance.now();
        slider.value = 20 + Math.round((last - begun) / 40);
        slider.dispatchEvent(new Event("input", {bubbles: true}));
        requestAnimationFrame(move);
    };
    const end = () => {
        watcher.disconnect();
        const during = paints.filter(time => time <= last).length;
        done([during / (last - begun) * 1000, Math.max(0, paints.at(-1) - last)]);
    };
    move();
})"""
