import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.strimzi.api.kafka.model.kafka.Kafka;
import io.strimzi.api.kafka.model.nodepool.KafkaNodePool;
import java.io.File;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.Map;

/** Reads Kafka resources into Strimzi's own model and reports every field that the model does not know. */
class StrimziCheck {
    static int unknown = 0;

    public static void main(String[] files) throws Exception {
        ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
        for (String file : files) {
            String kind = yaml.readTree(new File(file)).get("kind").asText();
            Class<?> type = kind.equals("Kafka") ? Kafka.class : KafkaNodePool.class;
            walk(kind, yaml.readValue(new File(file), type));
        }
        System.exit(unknown == 0 ? 0 : 1);
    }

    static void walk(String path, Object value) throws Exception {
        if (value instanceof Collection<?> items) {
            for (Object item : items) walk(path + "[]", item);
        }
        if (value == null || !value.getClass().getName().matches("io\\.(strimzi|fabric8)\\..*") || value instanceof Enum) return;
        for (Method getter : value.getClass().getMethods()) {
            if (!getter.getName().startsWith("get") || getter.getParameterCount() > 0) continue;
            if (getter.getName().equals("getAdditionalProperties")) {
                for (Object name : ((Map<?, ?>) getter.invoke(value)).keySet()) {
                    System.out.println(path + ": unknown field " + name);
                    unknown++;
                }
            } else if (!getter.getName().equals("getClass")) {
                walk(path + "." + getter.getName().substring(3), getter.invoke(value));
            }
        }
    }
}
