import common from "./common";
import jobs from "./jobs";
import models from "./models";
import reader from "./reader";
import rules from "./rules";
import settings from "./settings";
import shelf from "./shelf";

export default { common, jobs, models, reader, rules, settings, shelf };
