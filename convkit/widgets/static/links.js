/** Make traits of models follow others. Once per model, so that two views of it link nothing twice. */
function initialize({ model }) {
  const ending = new AbortController();
  let connected = 0;

  const connect = async ([sourceId, sourceTrait, targetId, targetTrait, isTold]) => {
    const ids = [sourceId, targetId];
    const [source, target] = await Promise.all(ids.map((id) => model.widget_manager.get_model(id)));
    if (ending.signal.aborted) return;
    watch(source, ending.signal, [sourceTrait], () => {
      target.set(targetTrait, source.get(sourceTrait));
      if (isTold) target.save_changes();
    });
  };
  const connectNew = () => {
    const links = model.get("connections");
    links.slice(connected).forEach(connect);
    connected = links.length;
  };
  watch(model, ending.signal, ["connections"], connectNew);
  return () => ending.abort();
}

export default { initialize };
